-- Degraded: nothing tries it again until a person acts. The message is that of condition Ready, which says what to do.
local health = { status = "Progressing", message = "The operator has not reported on this spec yet." }

-- Strimzi is about to publish what is missing: the cause with which the message begins says so. Argo CD's Lua has no
-- functions on strings; of all texts, those that begin with "x:" lie between "x:" and "x;".
local function waits(condition)
  if condition.reason ~= "StrimziUnresolved" then
    return false
  end
  for _, cause in ipairs({ "StrimziListenerNotReady", "StrimziUserNotReady" }) do
    if condition.message >= cause .. ":" and condition.message < cause .. ";" then
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

-- Reasons for which Ready is False while the work goes on by itself.
local working = {
  RestorePending = true,
  PreflightRunning = true,
  Restoring = true,
  OffsetsPending = true,
  OffsetsRunning = true,
}
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Ready" then
    health.message = condition.message
    if condition.status == "True" then
      health.status = "Healthy"
    elseif condition.status == "False" and not working[condition.reason] and not waits(condition) then
      health.status = "Degraded"
    end
  end
end
return health
