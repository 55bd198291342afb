-- Questions for POST /v1/decide: one slate for somebody of all people, others in each turn.
local key, people

function init(args)
  key, people = args[1], tonumber(args[2])
  math.randomseed(tonumber(args[3]))
  wrk.method = "POST"
  wrk.headers["Authorization"] = key
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  local person = math.random(0, people - 1)
  local body = string.format('{"person":{"userId":"n%03d-%06d"},"surfaces":[{"surface":"home"}]}',
    math.floor(person / 20000), person % 20000)
  return wrk.format(nil, "/v1/decide", nil, body)
end
