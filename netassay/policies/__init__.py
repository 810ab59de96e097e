"""Network policies: what they mean (the simulator), cases that try it (the generator), and pods to try them on."""
