"""How a mark is spelled that stands in a text on record in the place of another.

A pseudonym is `<ENTITY:KEYID:TOKEN>`. Of what is not kept there is `<REDACTED:REASON>`, with a
digest and a size where it may come again. `privacy` writes them.
"""

from __future__ import annotations

import re

ENTITY, KEY, MAC = "[A-Z_]+", "[a-z0-9]+", "[A-Za-z0-9_-]{16,}"
"""What a pseudonym stands for, the id of its key, and what this key makes of the value."""
TOKEN = f"{KEY}:{MAC}"
DIGEST = "[a-p]{24}"
REDACTED = rf"REDACTED:[a-z_]+(?::{DIGEST}:\d+)?"

PSEUDONYM = re.compile(f"<{ENTITY}:{TOKEN}>")

GONE = "<REDACTED:"
"""What begins in place of a text that is not kept."""
