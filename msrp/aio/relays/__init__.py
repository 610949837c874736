"""Sessions through relays, from the side of a client (:rfc:`4976`)."""
