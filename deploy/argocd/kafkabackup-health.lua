-- Degraded: a person has to do something. The message is that of the condition that says what.
local health = { status = "Progressing", message = "The operator has not reported on this spec yet." }

-- Strimzi is about to publish what is missing: the cause with which the message begins says so. Argo CD's Lua has no
-- functions on strings; of all texts, those that begin with "x:" lie between "x:" and "x;".
local function waits(condition)
  if condition.reason ~= "StrimziUnresolved" then
    return false
  end
  for _, cause in ipairs({ "StrimziListenerNotReady", "StrimziUserNotReady" }) do
    local front = "No run can be started: " .. cause
    if condition.message >= front .. ":" and condition.message < front .. ";" then
      return true
    end
  end
  return false
end

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
  if found[type] ~= nil and found[type].status == "False" and not waits(found[type]) then
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
