// The first step of every npm script: which Node runs this, and is it one we support?
// Plain old JavaScript, so that a Node far below the floor can still parse it and say so.
var floor = require("../package.json").engines.node;
var parts = process.versions.node.split(".").map(Number);
function atLeast(minor, patch) {
  return parts[1] > minor || (parts[1] === minor && parts[2] >= patch);
}
var supported =
  (parts[0] === 22 && atLeast(22, 3)) ||
  (parts[0] === 24 && atLeast(15, 0)) ||
  (parts[0] === 25 && atLeast(3, 0)) ||
  parts[0] > 25;
if (process.argv.indexOf("--quiet") === -1) {
  process.stderr.write("node " + process.version + " " + process.execPath + "\n");
}
if (!supported) {
  process.stderr.write(
    "mesh-iam needs Node " +
      floor +
      " (25.0 to 25.2 excepted), this is " +
      process.version +
      " at " +
      process.execPath +
      ".\n" +
      "Run `npm install` first: it brings the pinned Node, and npm scripts then run on it.\n",
  );
  process.exit(1);
}
