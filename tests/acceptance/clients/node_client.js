// Drives the published @segment/analytics-node, unchanged but for the host.
const { Analytics } = require("@segment/analytics-node");
const [url, writeKey, path] = process.argv.slice(2);
const errors = [];
const analytics = new Analytics({ writeKey, host: url, path: path || "/v1/batch", maxRetries: 1, flushAt: 20, flushInterval: 200 });
analytics.on("error", (error) => errors.push(String(error.reason || error.code || error)));
analytics.identify({ userId: "node-user", traits: { plan: "pro" } });
analytics.track({ userId: "node-user", event: "Product Viewed", properties: { product_id: "tent-1" } });
analytics.track({ userId: "node-user", event: "Order Completed", properties: { order_id: "n1", products: [{ product_id: "boots-1", price: 159, quantity: 1 }] } });
analytics.page({ userId: "node-user", name: "Home" });
analytics.screen({ userId: "node-user", name: "Home" });
analytics.group({ userId: "node-user", groupId: "acme", traits: { name: "Acme" } });
for (let n = 0; n < 120; n++) analytics.track({ userId: "node-many", event: "Product Viewed", properties: { product_id: `lamp-${(n % 5) + 1}` } });
analytics.track({ anonymousId: "node-visitor", event: "Product Viewed", properties: { product_id: "pan-1" } });
analytics.alias({ userId: "node-user", previousId: "node-visitor" });
analytics.closeAndFlush({ timeout: 10000 }).then(() => {
  for (const error of errors) console.log("ERROR", error);
  console.log("done", errors.length);
});
