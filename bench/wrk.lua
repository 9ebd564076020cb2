-- For wrk: every answer's status and body are held against what they must be, and the end is told as JSON.
local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    local file = assert(io.open("/harbor/body", "rb"))
    wanted = file:read("*a")
    file:close()
    wrong, first = 0, ""
end

function response(status, headers, body)
    if status ~= 200 or body ~= wanted then
        wrong = wrong + 1
        if first == "" then
            first = status .. ", " .. #body .. " bytes"
        end
    end
end

function done(summary, latency, requests)
    local wrong, first, errors = 0, "", summary.errors
    for _, thread in ipairs(threads) do
        wrong = wrong + thread:get("wrong")
        first = first == "" and thread:get("first") or first
    end
    local pattern = '{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "wrong": %d, "first": "%s", '
        .. '"connect": %d, "read": %d, "write": %d, "timeout": %d}\n'
    local p50, p99 = latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
    io.write(pattern:format(summary.requests, summary.duration / 1e6, p50, p99, wrong, first,
        errors.connect, errors.read, errors.write, errors.timeout))
end
