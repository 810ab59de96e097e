"""What `netassay run` does: the phases of an assay, as child processes, and what is made of their results."""
