"""From a URI to the addresses that it may mean, and ours on the way (:rfc:`3263`)."""
