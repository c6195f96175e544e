/**
 * better-auth with one-time codes by e-mail, stored as hashes, on the PostgreSQL of the bench. Mail goes out over pooled connections, and
 * the call does not wait for it, as better-auth's documentation recommends and Byond does.
 */
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { emailOTP } from "better-auth/plugins";
import { createTransport } from "nodemailer";
import pg from "pg";

const mail = createTransport({ url: process.env.SMTP_URL, pool: true, maxConnections: 10, maxMessages: Infinity });
const options = {
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 }),
  secret: "a secret of the bench that is long enough for it",
  baseURL: "http://127.0.0.1",
  trustedOrigins: ["*"],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [
    emailOTP({
      storeOTP: "hashed",
      rateLimit: { window: 60, max: 1_000_000_000 },
      async sendVerificationOTP({ email, otp }) {
        const message = { from: "bench@example.com", to: email, subject: "Your code", text: `Your code is ${otp}.` };
        mail.sendMail(message).catch((error) => console.error(error));
      },
    }),
  ],
};
const auth = betterAuth(options);
const { runMigrations } = await getMigrations(options);
await runMigrations();
const server = createServer(toNodeHandler(auth));
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
