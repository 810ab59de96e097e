"""Load flows: answers keep coming, one request after the other. How much is measured by `netassay bench`."""
