import { sqlitePlace } from "../fakes/sqlite-place.ts";
import { storeConformance } from "./store.ts";

storeConformance(sqlitePlace);
