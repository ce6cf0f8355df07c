-- What wrk sends: METHOD PATH BODY USERS SEED, where each %d in PATH or BODY stands for a user from 1 to USERS.
-- At the end one line of JSON follows wrk's own output.

local method, path, body, users
local headers = {}

function init(arguments)
  method, path, body, users = arguments[1], arguments[2], arguments[3], tonumber(arguments[4])
  math.randomseed(tonumber(arguments[5]))
  if body == "" then
    body = nil
  else
    headers["Content-Type"] = "application/json"
  end
end

local function with_users(text)
  return (text:gsub("%%d", function() return math.random(users) end))
end

function request()
  return wrk.format(method, with_users(path), headers, body and with_users(body))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "p999": %d, "status": %d, "socket": %d, "timeout": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
