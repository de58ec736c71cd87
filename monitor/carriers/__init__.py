"""What carries what a dialect says: another dialect, gRPC, a form, packed numbers → what is in it.

Protocols share these; a part each.
"""
