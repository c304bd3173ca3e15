"""From a checked document to a typed graph and its op tapes."""
