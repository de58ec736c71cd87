"""Our containers → the manifests, Kustomize files and the chart below `deploy/`."""
