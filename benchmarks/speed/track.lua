-- Events for POST /v1/track or, with a size, /v1/batch: each with an id of its own.
local size, key, run, people, items
local sent = 0

function init(args)
  size, key, run = tonumber(args[1]), args[2], args[3]
  people, items = tonumber(args[4]), tonumber(args[5])
  math.randomseed(7)
  wrk.method = "POST"
  wrk.headers["Authorization"] = key
  wrk.headers["Content-Type"] = "application/json"
end

local function event()
  sent = sent + 1
  local item = math.floor(items ^ math.random())
  local person = math.random(0, people - 1)
  return string.format(
    '{"type":"track","event":"Product Viewed","userId":"n%03d-%06d","messageId":"%s-%d","timestamp":"%s.%03dZ",' ..
    '"properties":{"product_id":"i%d","price":%d}}',
    math.floor(person / 20000), person % 20000, run, sent, os.date("!%Y-%m-%dT%H:%M:%S", os.time() - 1), sent % 1000,
    item, 5 + item * 7 % 500)
end

function request()
  if size == 1 then return wrk.format(nil, "/v1/track", nil, event()) end
  local all = {}
  for number = 1, size do all[number] = event() end
  return wrk.format(nil, "/v1/batch", nil, '{"batch":[' .. table.concat(all, ",") .. "]}")
end
