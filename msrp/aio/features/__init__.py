"""What goes along with a session beside the application: typing, notifications.

A feature sees each message of the peer before the application does, and keeps what is
meant for it; it dresses what we send, and hears of it.  It belongs to the connection
and not to the session of the core, so that it stays when a session moves.
"""
