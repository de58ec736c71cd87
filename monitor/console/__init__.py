"""The console at `/console/`: what queries answer, as pages for people.

Every page works without script. `static/htmx.min.js` (htmx 4.0.1, BSD-0-Clause, its licence beside
it, SHA-256 in `tests/console/test_pages.py`) only renews a page that is looked at.
"""
