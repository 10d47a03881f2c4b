/** The values of a Python pickle as inert data: what pickle.ts reads and pickleWriter.ts writes. */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickledTuple
  | PickledGlobal
  | PickledObject
  | PersistentId
  | Pickled[]
  | Map<Pickled, Pickled>
  | Set<Pickled>;

export class PickledTuple {
  readonly items: readonly Pickled[];
  constructor(items: readonly Pickled[]) {
    this.items = items;
  }
}

/** A class or function by name, not called. */
export class PickledGlobal {
  /** Module and name, joined by a dot. */
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What Python would make by calling `callable` with `args`, and the state it would then be given. */
export class PickledObject {
  readonly callable: string;
  readonly args: PickledTuple;
  /** Whether `callable` is a class whose instance is made without calling `__init__`. */
  readonly isNew: boolean;
  state: Pickled;
  constructor(callable: string, args: PickledTuple, isNew = false, state: Pickled = null) {
    this.callable = callable;
    this.args = args;
    this.isNew = isNew;
    this.state = state;
  }
}

/** A reference to something kept outside of the pickle; torch's storages are. */
export class PersistentId {
  readonly id: Pickled;
  constructor(id: Pickled) {
    this.id = id;
  }
}
