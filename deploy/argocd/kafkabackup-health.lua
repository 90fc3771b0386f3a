-- Degraded: a person has to do something. The message is that of the condition that says what.
local health = { status = "Progressing", message = "The operator has not reported on this spec yet." }

if obj.metadata.deletionTimestamp ~= nil then
  health.message = "The resource is being deleted."
  return health
end
if obj.status == nil or obj.status.conditions == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end

local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
if found.Ready == nil then
  return health
end

-- Backups that are made but cannot be relied on are no better than none.
for _, type in ipairs({ "Ready", "SetsIntact", "Restorable" }) do
  if found[type] ~= nil and found[type].status == "False" then
    return { status = "Degraded", message = found[type].message }
  end
end
health.message = found.Ready.message
if obj.spec.suspend == true then
  health.status = "Suspended"
elseif found.Ready.status == "True" then
  health.status = "Healthy"
end
return health
