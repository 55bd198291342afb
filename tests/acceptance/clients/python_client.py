"""Drives a published segment-analytics-python, unchanged but for the host. Run with its PYTHONPATH."""

import sys
from datetime import UTC, datetime

from segment.analytics.client import Client

url, key, mode = sys.argv[1:4]
errors = []
client = Client(
    key,
    host=url,
    sync_mode=mode == "sync",
    gzip=mode == "gzip",
    max_retries=1,
    on_error=lambda error, _: errors.append(error),
)
try:
    client.identify("py-user", {"plan": "pro", "email": "x@example.org"})
    client.track(
        "py-user",
        "Product Viewed",
        {"product_id": "tent-1", "price": "129.00"},
        timestamp=datetime(2026, 1, 5, 12, 0, tzinfo=UTC),
    )
    client.track(
        "py-user",
        "Order Completed",
        {
            "order_id": f"py-{mode}",
            "products": [{"product_id": "mat-1", "price": 59, "quantity": 2}],
        },
    )
    client.page("py-user", "Shop", "Home", {"url": "https://example.org/"})
    client.screen("py-user", "App", "Home")
    client.group("py-user", "acme", {"name": "Acme"})
    for number in range(250):
        client.track("py-many", "Product Viewed", {"product_id": f"lamp-{number % 5 + 1}"})
    client.track(None, "Product Viewed", {"product_id": "pan-1"}, anonymous_id="py-visitor")
    client.alias("py-visitor", "py-user")
    if mode != "sync":  # a synchronous client has nothing to wait for
        client.flush()
        client.join()
except Exception as error:
    errors.append(error)
for error in errors:
    print("ERROR", type(error).__name__, error)
print("done", len(errors))
