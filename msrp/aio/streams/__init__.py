"""The connections under the sessions: sockets, and who is called over them."""
