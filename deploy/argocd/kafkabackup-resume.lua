-- An Application with selfHeal puts Git's value back within seconds: see docs/guides/gitops.md.
obj.spec.suspend = false
return obj
