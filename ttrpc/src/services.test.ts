/** Services of the field over this package: generated from protos alone, typed from end to end. */
import { AgentService, Health, Hypervisor, HealthCheckResponse_ServingStatus as Serving } from '@kata-mock/contracts';
import { expect, expectTypeOf, test } from 'vitest';
import { Status } from '../examples/gen/containerd/task_pb.ts';
import { Task as TaskV2 } from '../examples/gen/containerd/task_v2_pb.ts';
import { Task as TaskV3 } from '../examples/gen/containerd/task_v3_pb.ts';
import { plugin, runtime } from '../examples/nri-plugin.ts';
import { Code, Connection, createClient, Server } from './index.ts';
import { connectedPair } from './testing/pair.ts';

function pairOf(server: Server): Connection {
  const [here, there] = connectedPair();
  server.serve(there);
  return new Connection(here);
}

test('the Kata agent: a container is made, and what it does not offer says so', async () => {
  const made: string[] = [];
  const connection = pairOf(
    new Server()
      .register(AgentService, {
        createContainer: (request) => {
          made.push(
            request.containerId,
            ...(request.OCI?.Process?.Args ?? []),
            String(request.OCI?.Linux?.Resources?.Memory?.Limit),
          );
          return {};
        },
        waitProcess: () => ({ status: 137 }),
      })
      .register(Health, { check: () => ({ status: Serving.SERVING }), version: () => ({ agentVersion: '3.21.0' }) }),
  );
  const agent = createClient(AgentService, connection);
  const OCI = { Process: { Args: ['sleep', '1'] }, Linux: { Resources: { Memory: { Limit: 2n ** 62n } } } };
  await agent.createContainer({ containerId: 'c1', OCI });
  expect(made).toEqual(['c1', 'sleep', '1', '4611686018427387904']);
  const { status } = await agent.waitProcess({ containerId: 'c1' });
  expectTypeOf(status).toEqualTypeOf<number>();
  expect(status).toBe(137);
  await expect(agent.getMetrics({})).rejects.toMatchObject({ code: Code.UNIMPLEMENTED, message: 'method GetMetrics' });
  const health = createClient(Health, connection);
  expect((await health.check({})).status).toBe(Serving.SERVING);
  expect((await health.version({})).agentVersion).toBe('3.21.0');
});

test('the remote hypervisor', async () => {
  const connection = pairOf(
    new Server().register(Hypervisor, {
      createVM: ({ id, annotations }) => ({ agentSocketPath: `/run/${id}/${annotations['pod']}.sock` }),
    }),
  );
  const vm = await createClient(Hypervisor, connection).createVM({ id: 'v', annotations: { pod: 'p' } });
  expect(vm.agentSocketPath).toBe('/run/v/p.sock');
});

test("containerd's task service, versions 2 and 3 on one connection", async () => {
  const connection = pairOf(
    new Server()
      .register(TaskV2, { state: ({ id }) => ({ id, status: Status.RUNNING, exitedAt: { seconds: 5n } }) })
      .register(TaskV3, { connect: () => ({ shimPid: 7, version: '3' }) }),
  );
  const state = await createClient(TaskV2, connection).state({ id: 't' });
  expect(state).toMatchObject({ id: 't', status: Status.RUNNING, exitedAt: { seconds: 5n } });
  expect(await createClient(TaskV3, connection).connect({})).toMatchObject({ shimPid: 7, version: '3' });
  // What containerd takes as the sign to try the other version.
  await expect(createClient(TaskV3, connection).state({})).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
});

test('NRI: plugin and runtime call each other over one socket', async () => {
  const [pluginEnd, runtimeEnd] = connectedPair();
  const registered: string[] = [];
  const toPlugin = runtime(runtimeEnd, {
    registerPlugin: ({ pluginName, pluginIdx }) => {
      registered.push(`${pluginIdx}-${pluginName}`);
      return {};
    },
  });
  const toRuntime = plugin(pluginEnd, {
    configure: () => ({ events: 1 << 3 }),
    synchronize: ({ pods }) => ({ more: pods.length > 0 }),
    createContainer: ({ container }) => ({
      adjust: { CDIDevices: [{ name: `kata-mock.dev/accel=${container?.name}` }], env: [{ key: 'A', value: 'b' }] },
    }),
  });
  await toRuntime.registerPlugin({ pluginName: 'accel', pluginIdx: '10' });
  expect(registered).toEqual(['10-accel']);
  expect((await toPlugin.configure({ runtimeName: 'containerd' })).events).toBe(8);
  const pods = Array.from({ length: 2000 }, (_, i) => ({ id: `pod-${i}`, labels: { long: 'x'.repeat(500) } }));
  const [synchronized, created] = await Promise.all([
    toPlugin.synchronize({ pods }),
    toPlugin.createContainer({ container: { name: '0' } }),
  ]);
  expect(synchronized.more).toBe(true);
  expect(created.adjust?.CDIDevices[0]?.name).toBe('kata-mock.dev/accel=0');
  pluginEnd.destroy();
  await expect(toRuntime.registerPlugin({})).rejects.toMatchObject({ code: Code.UNAVAILABLE });
  await expect(toPlugin.shutdown({})).rejects.toMatchObject({ code: Code.UNAVAILABLE });
});
