import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;

/** GET / and HEAD /, as the server's module `rest-root` answers them, which isn't published. */
public class RootPlugin extends Plugin implements ActionPlugin {
    static class Root extends BaseRestHandler {
        @Override
        public String getName() {
            return "root";
        }

        @Override
        public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override
        protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            request.param("pretty");
            Build build = Build.current();
            return channel -> {
                var body = channel.newBuilder();
                body.startObject();
                body.field("name", "node").field("cluster_name", "elasticsearch").field("cluster_uuid", client.getLocalNodeId());
                body.startObject("version").field("number", build.version()).field("build_flavor", "default")
                    .field("build_type", "unknown").field("build_hash", build.hash()).field("build_date", build.date())
                    .field("build_snapshot", false).endObject();
                body.field("tagline", "You Know, for Search").endObject();
                channel.sendResponse(new RestResponse(RestStatus.OK, body));
            };
        }
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
        RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features
    ) {
        return List.of(new Root());
    }
}
