/** All turbines of one simulator: makes their readings at the wanted rate, sends them, and keeps the accounts. */

import type { Reading } from "../agent/contract/reading.ts";
import { Publisher, type PublisherSettings } from "./publisher.ts";
import { Random } from "./random.ts";
import type { FaultCounts, Message, Turbine } from "./turbine.ts";

export interface FleetSettings {
  connection: Omit<PublisherSettings, "clientId">;
  /** Tells the connections of this process from those of others. */
  clientPrefix: string;
  seed: number;
  /** Readings a second of each sensor. */
  rate: number;
  /** Stop making after so many readings of each sensor. */
  countPerSensor: number;
  /** Stop making after so long, ms. */
  forMs: number;
  /** Dates of a history instead of now: the first one, ms since 1970, and the step between two, ms. */
  history?: { fromMs: number; stepMs: number };
  /** What is made first, as fast as the broker takes it: so many readings of each sensor, up to now, so far apart (ms). */
  past?: { count: number; stepMs: number };
}

export interface FleetEvents {
  acknowledged(reading: Reading): void;
  /** Some turbine can't reach the broker (once until all can again), or all can again. */
  reach(reached: boolean, detail: string): void;
}

export interface Summary {
  /** Readings the sensors made. */
  made: number;
  /** Messages handed to the network: readings, sent again or not, and what faults added. */
  published: number;
  /** Readings whose PUBACK came. */
  acknowledged: number;
  /** Readings without PUBACK: made − acknowledged. */
  unacknowledged: number;
  /** Of these, given up because an outbox overflowed. */
  lost: number;
  /** Acknowledged messages that are no new reading: duplicates and bad ones. */
  extraAcknowledged: number;
  faults: FaultCounts;
  seconds: number;
}

export interface Clock {
  /** Wall clock, ms since 1970. */
  now(): number;
  /** Never steps, ms. */
  monotonic(): number;
}

/** Messages of the past that a turbine has under way. */
const PAST_WINDOW = 1000;
/** Wakes no oftener than this: at high rates several readings are made at once. */
const SHORTEST_SLEEP_MS = 5;
const LONGEST_SLEEP_MS = 1_000;

interface Post {
  turbine: Turbine;
  publisher: Publisher;
  /** Readings of the past, and of the present, made so far by each of its sensors; when the first of the present is due. */
  pastMade: number;
  made: number;
  offsetMs: number;
}

export class Fleet {
  readonly #settings: FleetSettings;
  readonly #events: FleetEvents;
  readonly #clock: Clock;
  readonly #posts: Post[];
  readonly #unreached = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #beganMs = 0;
  /** When the present began. */
  #startedMs = 0;
  #startedAt = 0;
  #reached: boolean | undefined;
  #made = 0;
  #acknowledged = 0;
  #extraAcknowledged = 0;
  #lost = 0;
  #finish: () => void = () => {};
  #emptied: () => void = () => {};
  /** Resolves when all that was asked for is made. */
  readonly made: Promise<void>;

  constructor(turbines: readonly Turbine[], settings: FleetSettings, events: FleetEvents, clock: Clock) {
    this.#settings = settings;
    this.#events = events;
    this.#clock = clock;
    const period = 1000 / settings.rate;
    this.#posts = turbines.map((turbine, index) => ({
      turbine,
      publisher: this.#publisher(turbine),
      pastMade: 0,
      made: 0,
      // Turbines are not in step, as in the field; the load is even.
      offsetMs: (period * index) / turbines.length,
    }));
    this.made = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  start(): void {
    this.#beganMs = this.#clock.monotonic();
    for (const post of this.#posts) {
      this.#unreached.add(post.turbine.name);
      post.publisher.start();
    }
    if (this.#settings.past === undefined) this.#startPresent();
    else this.#makePast(this.#clock.now(), this.#settings.past);
  }

  #makePast(untilMs: number, past: { count: number; stepMs: number }): void {
    const { count, stepMs } = past;
    for (const post of this.#posts) {
      while (post.pastMade < count && post.publisher.outstanding < PAST_WINDOW) {
        const dateMs = untilMs - (count - post.pastMade++) * stepMs;
        this.#send(post, post.turbine.tick(dateMs));
      }
    }
    if (this.#posts.every(({ pastMade }) => pastMade >= count)) this.#startPresent();
    else this.#timer = setTimeout(() => this.#makePast(untilMs, past), SHORTEST_SLEEP_MS);
  }

  #startPresent(): void {
    const { past, rate } = this.#settings;
    this.#startedMs = this.#clock.monotonic();
    this.#startedAt = this.#clock.now();
    if (past !== undefined) for (const { turbine } of this.#posts) turbine.pace(1 / rate);
    this.#makeDue();
  }

  /** Makes no more, sends what sensors keep back, and waits until all is acknowledged or `deadlineMs` have passed. */
  async stop(deadlineMs: number): Promise<Summary> {
    this.#stopMaking();
    for (const post of this.#posts) this.#send(post, post.turbine.release());
    await this.#untilEmpty(deadlineMs);
    const summary = this.summary();
    await Promise.all(this.#posts.map(({ publisher }) => publisher.close()));
    return summary;
  }

  summary(): Summary {
    const faults: FaultCounts = { duplicates: 0, bad: 0, silenced: 0, outOfRange: 0, stuck: 0 };
    let published = 0;
    for (const { turbine, publisher } of this.#posts) {
      published += publisher.published;
      for (const [name, count] of Object.entries(turbine.counts)) faults[name as keyof FaultCounts] += count;
    }
    return {
      made: this.#made,
      published,
      acknowledged: this.#acknowledged,
      unacknowledged: this.#made - this.#acknowledged,
      lost: this.#lost,
      extraAcknowledged: this.#extraAcknowledged,
      faults,
      seconds: (this.#clock.monotonic() - this.#beganMs) / 1000,
    };
  }

  #publisher(turbine: Turbine): Publisher {
    const { connection, clientPrefix, seed } = this.#settings;
    const settings = { ...connection, clientId: `${clientPrefix}-${turbine.name}` };
    const events = {
      acknowledged: (message: Message) => this.#onAcknowledged(message),
      lost: (message: Message) => {
        if (message.kind === "reading") this.#lost++;
      },
      connected: () => this.#onReach(turbine.name),
      disconnected: (_: string, problem: string) => this.#onReach(turbine.name, problem),
      empty: () => this.#emptied(),
    };
    return new Publisher(settings, events, new Random(seed, turbine.name, "connection"));
  }

  #onAcknowledged(message: Message): void {
    if (message.kind !== "reading" || message.reading === undefined) {
      this.#extraAcknowledged++;
      return;
    }
    this.#acknowledged++;
    this.#events.acknowledged(message.reading);
  }

  #onReach(turbine: string, problem?: string): void {
    if (problem === undefined) this.#unreached.delete(turbine);
    else this.#unreached.add(turbine);
    if (problem !== undefined && this.#reached !== false) {
      this.#reached = false;
      this.#events.reach(false, problem);
    } else if (this.#unreached.size === 0 && this.#reached !== true) {
      this.#reached = true;
      this.#events.reach(true, `${this.#posts.length} connected`);
    }
  }

  #makeDue(): void {
    const { countPerSensor, forMs } = this.#settings;
    const elapsed = this.#clock.monotonic() - this.#startedMs;
    for (const post of this.#posts) {
      const due = this.#due(post, Math.min(elapsed, forMs));
      while (post.made < due && this.#hasRoom(post)) this.#make(post);
    }
    const ended = elapsed >= forMs || this.#posts.every(({ made }) => made >= countPerSensor);
    if (ended) this.#stopMaking();
    else this.#timer = setTimeout(() => this.#makeDue(), this.#sleepMs(forMs - elapsed));
  }

  /** Readings each of its sensors must have made before `elapsedMs`, so that 60 s at 1/s are 60 readings. */
  #due(post: Post, elapsedMs: number): number {
    const { rate, countPerSensor } = this.#settings;
    return Math.min(countPerSensor, Math.ceil(((elapsedMs - post.offsetMs) * rate) / 1000));
  }

  /** A history waits for room; a sensor that shows the present can't. */
  #hasRoom(post: Post): boolean {
    const { history, connection } = this.#settings;
    return history === undefined || post.publisher.outstanding < connection.outboxMessages / 2;
  }

  #make(post: Post): void {
    const { history, rate } = this.#settings;
    const index = post.made++;
    const dateMs =
      history === undefined
        ? this.#startedAt + post.offsetMs + (index * 1000) / rate
        : history.fromMs + index * history.stepMs;
    this.#send(post, post.turbine.tick(Math.round(dateMs)));
  }

  #send(post: Post, messages: readonly Message[]): void {
    for (const message of messages) {
      if (message.kind === "reading") this.#made++;
      post.publisher.send(message);
    }
  }

  #sleepMs(leftMs: number): number {
    const sensible = 500 / (this.#settings.rate * this.#posts.length);
    return Math.max(SHORTEST_SLEEP_MS, Math.min(sensible, LONGEST_SLEEP_MS, Math.ceil(leftMs)));
  }

  #stopMaking(): void {
    clearTimeout(this.#timer);
    this.#finish();
  }

  async #untilEmpty(deadlineMs: number): Promise<void> {
    const isEmpty = () => this.#posts.every(({ publisher }) => publisher.outstanding === 0);
    if (isEmpty()) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
      this.#emptied = () => {
        if (isEmpty()) resolve();
      };
    });
    clearTimeout(timer);
  }
}
