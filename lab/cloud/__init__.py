"""What a cloud does for the nodes of a lab: routes of its VPC, interfaces and addresses for pods, security groups."""
