"""Who Fluentd is: the role of its service account, or a policy for the nodes' own, with what PutLogEvents needs."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks import arns
from stacks.stages import StageConfig

NAMESPACE = "amazon-cloudwatch"
SERVICE_ACCOUNT = "fluentd"

_POD_IDENTITY = "pods.eks.amazonaws.com"
_AUDIENCE = "sts.amazonaws.com"


class ClusterAccess(Construct):
    """What `fluentd_identity` asks for; `outputs` names it by the stack's outputs. `none` makes nothing."""

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        # With ":*" an ARN stands for a group in all calls of a writer, and for its streams;
        # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
        self._groups = [arns.log_group(f"{name}:*") for name in config.cluster_log_groups.values()]
        self.outputs: dict[str, str] = {}
        if config.fluentd_identity == "node-role":
            self.outputs["FluentdPolicyArn"] = self._policy().managed_policy_arn
        elif config.fluentd_identity != "none":
            role = self._role()
            self.outputs["FluentdRoleArn"] = role.role_arn
            if config.fluentd_identity == "pod-identity":
                self._associate(role)

    def _policy(self) -> iam.ManagedPolicy:
        return iam.ManagedPolicy(
            self,
            "Policy",
            description="Lets Fluentd write the logs of its cluster",
            statements=self._statements(),
        )

    def _role(self) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"Fluentd of {self._config.cluster}",
            assumed_by=self._by_issuer() if self._config.fluentd_identity == "irsa" else self._by_pod_identity(),
        )
        for statement in self._statements():
            role.add_to_policy(statement)
        return role

    def _by_pod_identity(self) -> iam.IPrincipal:
        """Pods of this one service account in this one cluster, by the tags that EKS puts on each session.

        https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
        """
        conditions = {
            "aws:SourceAccount": Aws.ACCOUNT_ID,
            "aws:RequestTag/eks-cluster-arn": arns.here("eks", f"cluster/{self._config.cluster}"),
            "aws:RequestTag/kubernetes-namespace": NAMESPACE,
            "aws:RequestTag/kubernetes-service-account": SERVICE_ACCOUNT,
        }
        principal = iam.ServicePrincipal(_POD_IDENTITY, conditions={"StringEquals": conditions})
        return principal.with_session_tags()

    def _by_issuer(self) -> iam.IPrincipal:
        """Tokens of this one service account, made for STS.

        https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
        """
        provider = self._config.oidc_provider_arn
        issuer = provider.partition("/")[2]
        conditions = {
            f"{issuer}:aud": _AUDIENCE,
            f"{issuer}:sub": f"system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}",
        }
        return iam.WebIdentityPrincipal(provider, conditions={"StringEquals": conditions})

    def _associate(self, role: iam.Role) -> None:
        eks.CfnPodIdentityAssociation(
            self,
            "Association",
            cluster_name=self._config.cluster,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.role_arn,
        )

    def _statements(self) -> list[iam.PolicyStatement]:
        """No logs:CreateLogGroup: a group that Fluentd made would have neither retention nor subscription."""
        writing = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        return [
            iam.PolicyStatement(actions=writing, resources=self._groups),
            # The output plugin looks for its group by name, a call that is only allowed for all groups.
            iam.PolicyStatement(actions=["logs:DescribeLogGroups"], resources=[arns.ANY_LOG_GROUP]),
        ]

    @property
    def log_group_arns(self) -> list[str]:
        """All that it is given rights to."""
        return [*self._groups, arns.ANY_LOG_GROUP] if self.outputs else []
