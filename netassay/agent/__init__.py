"""The agent: what runs in every probe pod (`code`), and how it gets there (`pack`)."""
