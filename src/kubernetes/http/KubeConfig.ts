/*
 * The one thing that we take from the client library. This file is imported when needed; because it names what it takes, the
 * classes generated for every kind of the API, most of the library by far, stay out of the bundle.
 */
export { KubeConfig } from "@kubernetes/client-node"
