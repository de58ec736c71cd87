"""`python -m monitor.app ROLE RUNTIME INDEX`: a child process of the supervisor."""

import gc
import sys
from importlib import import_module

if __name__ == "__main__":
    gc.disable()  # what is loaded stays: to look for garbage in it took a tenth of a start
    from monitor.supervision import child

    role = sys.argv.pop(1)
    child.main(role, import_module(f"monitor.app.{role}").serve)
