module netassay.dev/lab/pins/pause

go 1.26.0
