"""Records, and the merge of their fields. Pure."""
