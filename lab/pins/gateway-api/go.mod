module netassay.dev/lab/pins/gateway-api

go 1.26.0

// Nothing of it is compiled: its custom resource definitions are read from the module. The release is Traefik's.
require sigs.k8s.io/gateway-api v1.6.3
