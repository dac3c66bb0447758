"""Tables of texts whose values must have one hash, or all different ones, or none; by families."""
