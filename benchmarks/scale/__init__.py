"""What an assay of many nodes costs: real agents as far as this machine carries them, and the controller up to 5,000."""
