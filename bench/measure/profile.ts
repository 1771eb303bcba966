import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

/**
 * Lets the process that starts a server profile it: the message `profile` begins, the message
 * `{ writeProfile: path }` ends and is answered when the file is there. Nothing is loaded before.
 */
export function answerProfileRequests(): void {
  let session: Session | null = null;
  process.on("message", async (message: "profile" | { readonly writeProfile: string }) => {
    if (message === "profile") {
      session = new Session();
      session.connect();
      await session.post("Profiler.enable");
      await session.post("Profiler.setSamplingInterval", { interval: 250 });
      await session.post("Profiler.start");
    } else if (session !== null) {
      const { profile } = await session.post("Profiler.stop");
      writeFileSync(message.writeProfile, JSON.stringify(profile));
      process.send?.("written");
    }
  });
}
