module haic/test-cluster/definitions

go 1.25.0

// Nothing is compiled of them: they carry the definitions of resources.
require (
	github.com/emissary-ingress/emissary/v3 v3.9.1
	sigs.k8s.io/gateway-api v1.4.0
)
