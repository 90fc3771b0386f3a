local deleting = obj.metadata.deletionTimestamp ~= nil
local suspended = obj.spec.suspend == true
local actions = {}
actions["trigger-backup"] = { disabled = deleting }
actions["check"] = { disabled = deleting }
actions["drill"] = { disabled = deleting or obj.spec.drill == nil }
actions["suspend"] = { disabled = deleting or suspended }
actions["resume"] = { disabled = deleting or not suspended }
return actions
