local failed = obj.status ~= nil and obj.status.phase == "Failed"
local actions = {}
actions["retry"] = { disabled = obj.metadata.deletionTimestamp ~= nil or not failed }
return actions
