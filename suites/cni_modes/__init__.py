"""What makes a CNI mode: each of its own promises, with the evidence that it is kept, or not by design."""
