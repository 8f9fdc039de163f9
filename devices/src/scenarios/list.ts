import issue115NoCdiDirectory from './files/115-no-cdi-directory.json' with { type: 'json' };
import issue966e9b7f80SubFunction from './files/966e9b7f80-sub-function.json' with { type: 'json' };
import issue966e9b7f80SubFunctionWarn from './files/966e9b7f80-sub-function-warn.json' with { type: 'json' };
import issue2897UnknownAddress from './files/2897-unknown-address.json' with { type: 'json' };
import issue4091SriovVirtualFunctions from './files/4091-sriov-virtual-functions.json' with { type: 'json' };
import issue5676InfoVariable from './files/5676-info-variable.json' with { type: 'json' };
import issue9614NoMappingAtAll from './files/9614-no-mapping-at-all.json' with { type: 'json' };
import issue9614WarnOnly from './files/9614-warn-only.json' with { type: 'json' };
import issue10628FailsBeforeTheShimGivesUp from './files/10628-fails-before-the-shim-gives-up.json' with {
  type: 'json',
};
import issue10891CdiSpecComesLate from './files/10891-cdi-spec-comes-late.json' with { type: 'json' };
import issue10891CdiSpecHalfWritten from './files/10891-cdi-spec-half-written.json' with { type: 'json' };
import issue10891CdiSpecNeverComes from './files/10891-cdi-spec-never-comes.json' with { type: 'json' };
import issue10935BrokenSpecFile from './files/10935-broken-spec-file.json' with { type: 'json' };
import issue10971InitContainer from './files/10971-init-container.json' with { type: 'json' };
import issue11624OuterNameInTheGuest from './files/11624-outer-name-in-the-guest.json' with { type: 'json' };
import issue11687TwoGroupsInOneDevice from './files/11687-two-groups-in-one-device.json' with { type: 'json' };
import issue11910ColdPlugGuestKernel from './files/11910-cold-plug-guest-kernel.json' with { type: 'json' };
import issue11912NvswitchBesideGpu from './files/11912-nvswitch-beside-gpu.json' with { type: 'json' };
import issue12087PluginIdIsCdiName from './files/12087-plugin-id-is-cdi-name.json' with { type: 'json' };
import issue12186NoAnnotation from './files/12186-no-annotation.json' with { type: 'json' };
import issue12249DoubleName from './files/12249-double-name.json' with { type: 'json' };
import issue12394IommufdCdev from './files/12394-iommufd-cdev.json' with { type: 'json' };
import issue12549VfioName from './files/12549-vfio-name.json' with { type: 'json' };
import issue12655EveryDeviceAnnotated from './files/12655-every-device-annotated.json' with { type: 'json' };
import issue12684NoIommu from './files/12684-no-iommu.json' with { type: 'json' };
import issue13103InfinibandNodes from './files/13103-infiniband-nodes.json' with { type: 'json' };
import issue13160VisibleCdiDevices from './files/13160-visible-cdi-devices.json' with { type: 'json' };
import issue13290TwoPxb from './files/13290-two-pxb.json' with { type: 'json' };
import issue13430NvswitchIsADevice from './files/13430-nvswitch-is-a-device.json' with { type: 'json' };
import issue13539UnknownRootComplex from './files/13539-unknown-root-complex.json' with { type: 'json' };
import issue13681PauseContainer from './files/13681-pause-container.json' with { type: 'json' };
import a51e0b630eChildrenOnSeveralBuses from './files/a51e0b630e-children-on-several-buses.json' with { type: 'json' };
import a51e0b630eNoChildren from './files/a51e0b630e-no-children.json' with { type: 'json' };
import a51e0b630ePciBusDouble from './files/a51e0b630e-pci-bus-double.json' with { type: 'json' };
import a51e0b630ePciBusEmpty from './files/a51e0b630e-pci-bus-empty.json' with { type: 'json' };
import a51e0b630ePciBusMissing from './files/a51e0b630e-pci-bus-missing.json' with { type: 'json' };
import arm64PlatformRoot from './files/arm64-platform-root.json' with { type: 'json' };
import cdiSpecOfTheFuture from './files/cdi-spec-of-the-future.json' with { type: 'json' };
import conflictingGuestAddress from './files/conflicting-guest-address.json' with { type: 'json' };
import e588764e31NestedPath from './files/e588764e31-nested-path.json' with { type: 'json' };
import emptyPathIsSkipped from './files/empty-path-is-skipped.json' with { type: 'json' };
import hotPlugLate from './files/hot-plug-late.json' with { type: 'json' };
import hotPlugNever from './files/hot-plug-never.json' with { type: 'json' };
import hotPlugSilent from './files/hot-plug-silent.json' with { type: 'json' };
import hotPlugTwice from './files/hot-plug-twice.json' with { type: 'json' };
import kubevirt147SameDeviceTwice from './files/kubevirt-147-same-device-twice.json' with { type: 'json' };
import latentAMapsMerge from './files/latent-a-maps-merge.json' with { type: 'json' };
import latentBPxbRoot from './files/latent-b-pxb-root.json' with { type: 'json' };
import latentCOneDeviceEach from './files/latent-c-one-device-each.json' with { type: 'json' };
import latentDMoreThanTenPorts from './files/latent-d-more-than-ten-ports.json' with { type: 'json' };
import malformedRequests from './files/malformed-requests.json' with { type: 'json' };
import mockAccelByUuid from './files/mock-accel-by-uuid.json' with { type: 'json' };
import notUtf8Name from './files/not-utf8-name.json' with { type: 'json' };
import otherRulesSurvive from './files/other-rules-survive.json' with { type: 'json' };
import placeholdersShareNumbers from './files/placeholders-share-numbers.json' with { type: 'json' };
import s390xDeviceElsewhere from './files/s390x-device-elsewhere.json' with { type: 'json' };
import scsiDiskIsScannedFor from './files/scsi-disk-is-scanned-for.json' with { type: 'json' };
import vfioRebind from './files/vfio-rebind.json' with { type: 'json' };
import vfioRebindRefused from './files/vfio-rebind-refused.json' with { type: 'json' };
import vmPathNodes from './files/vm-path-nodes.json' with { type: 'json' };
import type { Scenario } from './scenario.ts';

/** Every scenario, in the order of its file name. Imported one by one so that a bundle carries them. */
export const scenarios: readonly { readonly name: string; readonly scenario: Scenario }[] = [
  {
    name: '10628-fails-before-the-shim-gives-up',
    scenario: issue10628FailsBeforeTheShimGivesUp as unknown as Scenario,
  },
  { name: '10891-cdi-spec-comes-late', scenario: issue10891CdiSpecComesLate as unknown as Scenario },
  { name: '10891-cdi-spec-half-written', scenario: issue10891CdiSpecHalfWritten as unknown as Scenario },
  { name: '10891-cdi-spec-never-comes', scenario: issue10891CdiSpecNeverComes as unknown as Scenario },
  { name: '10935-broken-spec-file', scenario: issue10935BrokenSpecFile as unknown as Scenario },
  { name: '10971-init-container', scenario: issue10971InitContainer as unknown as Scenario },
  { name: '115-no-cdi-directory', scenario: issue115NoCdiDirectory as unknown as Scenario },
  { name: '11624-outer-name-in-the-guest', scenario: issue11624OuterNameInTheGuest as unknown as Scenario },
  { name: '11687-two-groups-in-one-device', scenario: issue11687TwoGroupsInOneDevice as unknown as Scenario },
  { name: '11910-cold-plug-guest-kernel', scenario: issue11910ColdPlugGuestKernel as unknown as Scenario },
  { name: '11912-nvswitch-beside-gpu', scenario: issue11912NvswitchBesideGpu as unknown as Scenario },
  { name: '12087-plugin-id-is-cdi-name', scenario: issue12087PluginIdIsCdiName as unknown as Scenario },
  { name: '12186-no-annotation', scenario: issue12186NoAnnotation as unknown as Scenario },
  { name: '12249-double-name', scenario: issue12249DoubleName as unknown as Scenario },
  { name: '12394-iommufd-cdev', scenario: issue12394IommufdCdev as unknown as Scenario },
  { name: '12549-vfio-name', scenario: issue12549VfioName as unknown as Scenario },
  { name: '12655-every-device-annotated', scenario: issue12655EveryDeviceAnnotated as unknown as Scenario },
  { name: '12684-no-iommu', scenario: issue12684NoIommu as unknown as Scenario },
  { name: '13103-infiniband-nodes', scenario: issue13103InfinibandNodes as unknown as Scenario },
  { name: '13160-visible-cdi-devices', scenario: issue13160VisibleCdiDevices as unknown as Scenario },
  { name: '13290-two-pxb', scenario: issue13290TwoPxb as unknown as Scenario },
  { name: '13430-nvswitch-is-a-device', scenario: issue13430NvswitchIsADevice as unknown as Scenario },
  { name: '13539-unknown-root-complex', scenario: issue13539UnknownRootComplex as unknown as Scenario },
  { name: '13681-pause-container', scenario: issue13681PauseContainer as unknown as Scenario },
  { name: '2897-unknown-address', scenario: issue2897UnknownAddress as unknown as Scenario },
  { name: '4091-sriov-virtual-functions', scenario: issue4091SriovVirtualFunctions as unknown as Scenario },
  { name: '5676-info-variable', scenario: issue5676InfoVariable as unknown as Scenario },
  { name: '9614-no-mapping-at-all', scenario: issue9614NoMappingAtAll as unknown as Scenario },
  { name: '9614-warn-only', scenario: issue9614WarnOnly as unknown as Scenario },
  { name: '966e9b7f80-sub-function', scenario: issue966e9b7f80SubFunction as unknown as Scenario },
  { name: '966e9b7f80-sub-function-warn', scenario: issue966e9b7f80SubFunctionWarn as unknown as Scenario },
  { name: 'a51e0b630e-children-on-several-buses', scenario: a51e0b630eChildrenOnSeveralBuses as unknown as Scenario },
  { name: 'a51e0b630e-no-children', scenario: a51e0b630eNoChildren as unknown as Scenario },
  { name: 'a51e0b630e-pci-bus-double', scenario: a51e0b630ePciBusDouble as unknown as Scenario },
  { name: 'a51e0b630e-pci-bus-empty', scenario: a51e0b630ePciBusEmpty as unknown as Scenario },
  { name: 'a51e0b630e-pci-bus-missing', scenario: a51e0b630ePciBusMissing as unknown as Scenario },
  { name: 'arm64-platform-root', scenario: arm64PlatformRoot as unknown as Scenario },
  { name: 'cdi-spec-of-the-future', scenario: cdiSpecOfTheFuture as unknown as Scenario },
  { name: 'conflicting-guest-address', scenario: conflictingGuestAddress as unknown as Scenario },
  { name: 'e588764e31-nested-path', scenario: e588764e31NestedPath as unknown as Scenario },
  { name: 'empty-path-is-skipped', scenario: emptyPathIsSkipped as unknown as Scenario },
  { name: 'hot-plug-late', scenario: hotPlugLate as unknown as Scenario },
  { name: 'hot-plug-never', scenario: hotPlugNever as unknown as Scenario },
  { name: 'hot-plug-silent', scenario: hotPlugSilent as unknown as Scenario },
  { name: 'hot-plug-twice', scenario: hotPlugTwice as unknown as Scenario },
  { name: 'kubevirt-147-same-device-twice', scenario: kubevirt147SameDeviceTwice as unknown as Scenario },
  { name: 'latent-a-maps-merge', scenario: latentAMapsMerge as unknown as Scenario },
  { name: 'latent-b-pxb-root', scenario: latentBPxbRoot as unknown as Scenario },
  { name: 'latent-c-one-device-each', scenario: latentCOneDeviceEach as unknown as Scenario },
  { name: 'latent-d-more-than-ten-ports', scenario: latentDMoreThanTenPorts as unknown as Scenario },
  { name: 'malformed-requests', scenario: malformedRequests as unknown as Scenario },
  { name: 'mock-accel-by-uuid', scenario: mockAccelByUuid as unknown as Scenario },
  { name: 'not-utf8-name', scenario: notUtf8Name as unknown as Scenario },
  { name: 'other-rules-survive', scenario: otherRulesSurvive as unknown as Scenario },
  { name: 'placeholders-share-numbers', scenario: placeholdersShareNumbers as unknown as Scenario },
  { name: 's390x-device-elsewhere', scenario: s390xDeviceElsewhere as unknown as Scenario },
  { name: 'scsi-disk-is-scanned-for', scenario: scsiDiskIsScannedFor as unknown as Scenario },
  { name: 'vfio-rebind', scenario: vfioRebind as unknown as Scenario },
  { name: 'vfio-rebind-refused', scenario: vfioRebindRefused as unknown as Scenario },
  { name: 'vm-path-nodes', scenario: vmPathNodes as unknown as Scenario },
];
