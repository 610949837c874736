"""Who hears what of connections and sessions: see :mod:`msrp.tap`."""
