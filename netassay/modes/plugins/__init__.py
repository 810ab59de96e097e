"""How each plug-in says in which of its modes it is: one module for each that has more than one."""
