-- A value that was not handled before starts one; it is a time, so that a person can read it.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["kafka.oso.sh/drill"] = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj
