-- Degraded: nothing tries it again until a person acts. The message is that of condition Ready, which says what to do.
local health = { status = "Progressing", message = "The operator has not reported on this spec yet." }

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
    elseif condition.status == "False" and not working[condition.reason] then
      health.status = "Degraded"
    end
  end
end
return health
