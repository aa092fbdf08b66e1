// A page as a product would have it: a component for each hook of @trigger.dev/react-hooks. Its address says which ones, and
// with what; the tests read what they render.
import { useState } from "react";
import { createRoot } from "react-dom/client";
import {
  TriggerAuthContext,
  useRealtimeBatch,
  useRealtimeRun,
  useRealtimeRunsWithTag,
  useRealtimeRunWithStreams,
  useRealtimeStream,
  useRealtimeTaskTrigger,
  useRealtimeTaskTriggerWithStreams,
  useRun,
  useTaskTrigger,
  useWaitToken,
} from "@trigger.dev/react-hooks";

const Text = ({ as, of }) =>
  of === undefined ? null : <p className={as}>{typeof of === "string" ? of : JSON.stringify(of)}</p>;

const Failure = ({ of }) => <Text as="error" of={of && `${of.status ?? ""} ${of.message}`} />;

const Run = ({ run }) => (
  <article>
    <Text as="status" of={run?.status} />
    <Text as="metadata" of={run?.metadata} />
    <Text as="output" of={run?.output} />
    <Text as="failure" of={run?.error?.message} />
  </article>
);

const Runs = ({ runs }) => (
  <ul>
    {runs.map((run) => (
      <li key={run.id} id={run.id}>
        {run.status}
      </li>
    ))}
  </ul>
);

function OneRun({ run: id }) {
  const [calls, setCalls] = useState([]);
  const { run, error } = useRealtimeRun(id, { onComplete: (last) => setCalls((before) => [...before, last.status]) });
  return (
    <>
      <Run run={run} />
      <Failure of={error} />
      <Text as="completed" of={calls} />
    </>
  );
}

function OneRunForAWhile({ run }) {
  const [there, setThere] = useState(true);
  return (
    <>
      {there && <OneRun run={run} />}
      <button onClick={() => setThere(!there)}>show or hide</button>
    </>
  );
}

function OneRunWithStreams({ run: id }) {
  const { run, streams, error } = useRealtimeRunWithStreams(id);
  return (
    <>
      <Run run={run} />
      <Text as="lines" of={streams.lines?.join("")} />
      <Failure of={error} />
    </>
  );
}

function OneStream({ run, stream }) {
  const { parts, error } = useRealtimeStream(run, stream);
  return (
    <>
      <Text as="lines" of={parts.join("")} />
      <Failure of={error} />
    </>
  );
}

function Tagged({ tag }) {
  const { runs, error } = useRealtimeRunsWithTag(tag);
  return (
    <>
      <Runs runs={runs} />
      <Failure of={error} />
    </>
  );
}

function Batch({ batch }) {
  const { runs, error } = useRealtimeBatch(batch);
  return (
    <>
      <Runs runs={runs} />
      <Failure of={error} />
    </>
  );
}

function Asked({ run: id }) {
  const { run, error } = useRun(id, { refreshInterval: 50 });
  return (
    <>
      <Run run={run} />
      <Failure of={error} />
    </>
  );
}

function Trigger({ task, payload, mebibytes, options }) {
  const { submit, handle, error } = useTaskTrigger(task);
  const what = payload ?? "x".repeat(mebibytes << 20);
  return (
    <>
      <button onClick={() => submit(what, options)}>go</button>
      <Text as="handle" of={handle?.id} />
      <Failure of={error} />
    </>
  );
}

function TriggerAndFollow({ task, payload }) {
  const { submit, run, error } = useRealtimeTaskTrigger(task);
  return (
    <>
      <button onClick={() => submit(payload)}>go</button>
      <Run run={run} />
      <Failure of={error} />
    </>
  );
}

function TriggerAndRead({ task, payload }) {
  const { submit, run, streams, error } = useRealtimeTaskTriggerWithStreams(task);
  return (
    <>
      <button onClick={() => submit(payload)}>go</button>
      <Run run={run} />
      <Text as="lines" of={streams.lines?.join("")} />
      <Failure of={error} />
    </>
  );
}

function Approval({ waitpoint, answer }) {
  const { complete, isCompleted, error } = useWaitToken(waitpoint);
  return (
    <>
      <button onClick={() => complete(answer)}>approve</button>
      <Text as="completed" of={isCompleted} />
      <Failure of={error} />
    </>
  );
}

const components = {
  OneRun, OneRunForAWhile, OneRunWithStreams, OneStream, Tagged, Batch, Asked,
  Trigger, TriggerAndFollow, TriggerAndRead, Approval,
};

const { show, auth, ...props } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const access = auth.refresh ? { ...auth, refreshAccessToken: async () => auth.refresh } : auth;
createRoot(document.getElementById("root")).render(
  <TriggerAuthContext.Provider value={access}>
    {show.map((name) => {
      const Shown = components[name];
      return (
        <section key={name} id={name}>
          <Shown {...props} />
        </section>
      );
    })}
  </TriggerAuthContext.Provider>,
);
