-- A value that was not handled before starts the next Job, which continues where the last one stopped.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["kafka.oso.sh/retry"] = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj
