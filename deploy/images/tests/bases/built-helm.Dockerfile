# Stands for the image golang where Helm is not to be compiled: its `go` gives the program that the test cluster has of the same go.mod.
FROM haic-tests/debian
COPY helm /helm-of-the-test-cluster
COPY go /usr/local/bin/
