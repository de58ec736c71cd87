"""Have a fork read our stdin and write our stdout, and live as long as it does."""

import os
import signal
import socket
import sys

signal.signal(signal.SIGINT, signal.SIG_IGN)  # what to do is the fork's
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(sys.argv[1])
    socket.send_fds(asked, [b"fork"], [0, 1])
    os.close(0)
    os.close(1)  # whoever reads it sees the end of the fork
    asked.recv(1)
