import type { Controller, KubeObject, ObjectMeta, Pod } from './objects.ts';

/**
 * Objects as they are kept in memory: without what nobody here reads, which is nearly all of them. A pod is some ten kilobytes, most of it
 * its specification, which its controller has once more, and who set which field.
 */
export function lean<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata }: ObjectMeta & { managedFields?: unknown } = object.metadata;
  return { ...object, metadata };
}

/** Of the template nothing but its labels is read: the whole of it is an annotation, in the words of the port. */
export function leanController<T extends Controller>(controller: T): T {
  const { metadata } = controller.spec.template ?? {};
  const template = metadata?.labels === undefined ? {} : { metadata: { labels: metadata.labels } };
  return { ...lean(controller), spec: { ...controller.spec, template } };
}

export function leanPod(pod: Pod): Pod {
  const { nodeName } = pod.spec;
  return { ...lean(pod), spec: nodeName === undefined ? {} : { nodeName } };
}
