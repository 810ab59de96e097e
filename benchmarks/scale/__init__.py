"""What an assay of many nodes costs: real agents as far as the machine carries them, the controller up to 5,000."""
